-- $1: relations.
-- Primary keys (p) and foreign keys (f), their columns in the order of the key. The server copies a key to every
-- partition that is referred to: those copies are left out.
SELECT
  key.conrelid,
  ARRAY(
    SELECT attribute.attname::pg_catalog.text
    FROM pg_catalog.unnest(key.conkey) WITH ORDINALITY AS part (number, place)
    JOIN pg_catalog.pg_attribute AS attribute
      ON attribute.attrelid = key.conrelid AND attribute.attnum = part.number
    ORDER BY part.place
  ),
  CASE WHEN key.contype = 'f' THEN key.confrelid END,
  pg_catalog.pg_partition_root(key.confrelid)::pg_catalog.oid,
  ARRAY(
    SELECT attribute.attname::pg_catalog.text
    FROM pg_catalog.unnest(key.confkey) WITH ORDINALITY AS part (number, place)
    JOIN pg_catalog.pg_attribute AS attribute
      ON attribute.attrelid = key.confrelid AND attribute.attnum = part.number
    ORDER BY part.place
  )
FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS relation (oid)
JOIN pg_catalog.pg_constraint AS key ON key.conrelid = relation.oid
WHERE key.contype IN ('p', 'f')
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_constraint AS original
    WHERE original.oid = key.conparentid AND original.conrelid = key.conrelid
  )
ORDER BY key.conrelid, key.conkey, key.conname
