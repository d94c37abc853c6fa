{{ config(materialized='table') }}
select customer_id, 2026 as year from {{ ref('customers') }}
