-- The schemas the role may look into, without those of the server itself.
SELECT namespace.oid, namespace.nspname::pg_catalog.text
FROM pg_catalog.pg_namespace AS namespace
WHERE pg_catalog.left(namespace.nspname::pg_catalog.text, 3) <> 'pg_'
  AND namespace.nspname <> 'information_schema'
  AND pg_catalog.has_schema_privilege(namespace.oid, 'USAGE')
