{{ config(materialized='ephemeral') }}
select order_id, customer_id from {{ ref('fct_orders') }}
