-- $1: relations, $2: longest comment.
-- The columns the role may read, in the order of their table. A domain can forbid what the column does not.
SELECT
  attribute.attrelid,
  attribute.attname::pg_catalog.text,
  pg_catalog.format_type(attribute.atttypid, attribute.atttypmod),
  NOT (attribute.attnotnull OR (type.typtype = 'd' AND type.typnotnull)),
  pg_catalog.left(pg_catalog.col_description(attribute.attrelid, attribute.attnum), $2)
FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS relation (oid)
JOIN pg_catalog.pg_attribute AS attribute ON attribute.attrelid = relation.oid
JOIN pg_catalog.pg_type AS type ON type.oid = attribute.atttypid
WHERE attribute.attnum > 0
  AND NOT attribute.attisdropped
  AND pg_catalog.has_column_privilege(attribute.attrelid, attribute.attnum, 'SELECT')
ORDER BY attribute.attrelid, attribute.attnum
