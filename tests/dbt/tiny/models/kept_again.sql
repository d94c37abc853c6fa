{{ config(materialized='ephemeral') }}
select * from {{ ref('kept_orders') }}
