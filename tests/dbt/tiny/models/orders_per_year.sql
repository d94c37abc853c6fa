{{ config(materialized='view', schema='reports') }}
select customers.name, count(*) as orders
from {{ ref('kept_again') }} as kept
join {{ ref('customers') }} as customers on customers.customer_id = kept.customer_id
group by 1
