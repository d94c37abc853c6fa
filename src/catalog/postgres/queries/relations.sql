-- $1: schemas, $2: longest comment.
-- Tables (r), partitioned tables (p), views (v), materialized views (m) and foreign tables (f) of which the role may
-- read at least one column. What belongs to an extension is no data of the user's. A partition is its table, unless the
-- role may read only the partition.
SELECT
  relation.oid,
  namespace.nspname::pg_catalog.text,
  relation.relname::pg_catalog.text,
  relation.relkind::pg_catalog.text,
  pg_catalog.left(comment.description, $2)
FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS schema (oid)
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = schema.oid
JOIN pg_catalog.pg_class AS relation ON relation.relnamespace = schema.oid
LEFT JOIN pg_catalog.pg_description AS comment
  ON comment.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
  AND comment.objoid = relation.oid
  AND comment.objsubid = 0
WHERE relation.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND pg_catalog.has_any_column_privilege(relation.oid, 'SELECT')
  AND NOT (
    relation.relispartition
    AND pg_catalog.has_any_column_privilege(pg_catalog.pg_partition_root(relation.oid), 'SELECT')
  )
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend AS member
    WHERE member.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      AND member.objid = relation.oid
      AND member.deptype = 'e'
  )
