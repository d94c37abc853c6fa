-- $1: relations, $2: longest comment.
-- The columns the role may read, in the order of their table. A domain can forbid what the column does not. The right to
-- the whole table is asked for once, and comments are joined: functions called for every column take three times as long.
SELECT
  attribute.attrelid,
  attribute.attname::pg_catalog.text,
  pg_catalog.format_type(attribute.atttypid, attribute.atttypmod),
  NOT (attribute.attnotnull OR (type.typtype = 'd' AND type.typnotnull)),
  pg_catalog.left(comment.description, $2)
FROM (
  SELECT given.oid, pg_catalog.has_table_privilege(given.oid, 'SELECT') AS is_open
  FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS given (oid)
  OFFSET 0
) AS relation
JOIN pg_catalog.pg_attribute AS attribute ON attribute.attrelid = relation.oid
JOIN pg_catalog.pg_type AS type ON type.oid = attribute.atttypid
LEFT JOIN pg_catalog.pg_description AS comment
  ON comment.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
  AND comment.objoid = attribute.attrelid
  AND comment.objsubid = attribute.attnum
WHERE attribute.attnum > 0
  AND NOT attribute.attisdropped
  AND (relation.is_open OR pg_catalog.has_column_privilege(attribute.attrelid, attribute.attnum, 'SELECT'))
ORDER BY attribute.attrelid, attribute.attnum
