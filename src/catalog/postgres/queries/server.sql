-- Who answers, and the moment all the other queries see.
SELECT
  pg_catalog.current_setting('server_version_num')::pg_catalog.int4,
  pg_catalog.current_setting('server_version'),
  pg_catalog.current_database()::pg_catalog.text,
  (EXTRACT(epoch FROM pg_catalog.transaction_timestamp()) * 1000000)::pg_catalog.int8
