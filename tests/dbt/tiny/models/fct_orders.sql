select id as order_id, customer_id, "the **amount**" from {{ source('raw', 'orders') }}
