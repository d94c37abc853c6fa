-- What every view is made from, whoever may read it: one that may not be read can stand between two that may. Without a
-- source: it reads a function that returns rows, and nobody records what that reads.
SELECT
  rule.ev_class,
  source.oid,
  pg_catalog.pg_partition_root(source.oid)::pg_catalog.oid
FROM pg_catalog.pg_rewrite AS rule
JOIN pg_catalog.pg_depend AS dependency
  ON dependency.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND dependency.objid = rule.oid
JOIN pg_catalog.pg_class AS source
  ON dependency.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND dependency.refobjid = source.oid
WHERE rule.ev_type = '1' AND source.oid <> rule.ev_class AND source.relkind IN ('r', 'p', 'v', 'm', 'f')
UNION
SELECT rule.ev_class, NULL, NULL
FROM pg_catalog.pg_rewrite AS rule
JOIN pg_catalog.pg_depend AS dependency
  ON dependency.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND dependency.objid = rule.oid
JOIN pg_catalog.pg_proc AS function
  ON dependency.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND dependency.refobjid = function.oid
WHERE rule.ev_type = '1' AND function.proretset
