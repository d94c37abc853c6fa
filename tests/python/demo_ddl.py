"""The demo mart as SQL for PostgreSQL: tables, comments and keys from src/catalog/demo.json, its views as real queries.

Without arguments the SQL is printed. Sources outside the warehouse are left out: a database does not know them.
"""

import json
import sys
from pathlib import Path

DEMO = Path(__file__).parents[2] / "src/catalog/demo.json"

# What the views select. The server records by itself which tables that are.
VIEWS = {
    "factv_ba_supplier_spend": """
SELECT
  supplier.supplier_group_key,
  material.material_group_key,
  date_trunc('month', purchase.order_created_ts)::date AS period_month,
  sum(item.net_amount_eur)::numeric(17,2) AS spend_eur,
  count(DISTINCT purchase.order_number)::int AS order_count
FROM dm_bs_purchase.fact_bs_purchase_order AS purchase
JOIN dm_bs_purchase.fact_bs_purchase_order_item AS item USING (order_number)
JOIN dm_bs_purchase.dimv_bs_supplier AS supplier USING (supplier_key)
JOIN dm_bs_purchase.dimv_bs_material AS material USING (material_key)
GROUP BY 1, 2, 3""",
    "factv_ba_open_orders": """
SELECT
  item.order_number,
  item.order_item,
  supplier.supplier_name,
  (item.order_quantity - coalesce(sum(receipt.received_quantity), 0))::numeric(13,3) AS open_quantity,
  greatest(0, current_date - to_date(item.delivery_date_key::text, 'YYYYMMDD')) AS days_overdue
FROM dm_bs_purchase.fact_bs_purchase_order_item AS item
JOIN dm_bs_purchase.fact_bs_purchase_order AS purchase USING (order_number)
JOIN dm_bs_purchase.dimv_bs_supplier AS supplier USING (supplier_key)
LEFT JOIN dm_bs_purchase.fact_bs_goods_receipt AS receipt USING (order_number, order_item)
WHERE NOT item.delivery_completed_flag
GROUP BY item.order_number, item.order_item, supplier.supplier_name""",
    "factv_ba_three_way_match": """
SELECT
  item.order_number,
  item.order_item,
  item.net_amount_eur AS ordered_amount_eur,
  invoice.amount AS invoiced_amount_eur,
  receipt.quantity AS received_quantity,
  CASE
    WHEN invoice.amount IS NULL THEN 'NOT_INVOICED'
    WHEN invoice.amount = item.net_amount_eur AND receipt.quantity = item.order_quantity THEN 'MATCHED'
    ELSE 'DIFFERENT'
  END::varchar(20) AS match_status
FROM dm_bs_purchase.fact_bs_purchase_order_item AS item
LEFT JOIN LATERAL (
  SELECT sum(received_quantity)::numeric(13,3) AS quantity FROM dm_bs_purchase.fact_bs_goods_receipt
  WHERE (order_number, order_item) = (item.order_number, item.order_item)
) AS receipt ON true
LEFT JOIN LATERAL (
  SELECT sum(invoiced_amount_eur)::numeric(17,2) AS amount FROM dm_bs_purchase.fact_bs_supplier_invoice
  WHERE (order_number, order_item) = (item.order_number, item.order_item)
) AS invoice ON true""",
}


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def name(table: dict) -> str:
    return f"{table['schema']}.{table['name']}"


def create(table: dict) -> str:
    key = table.get("primary_key", [])
    lines = [
        f"  {column['name']} {column['type']}" + ("" if column.get("nullable", True) else " NOT NULL")
        for column in table["columns"]
    ]
    if key:
        lines.append(f"  PRIMARY KEY ({', '.join(key)})")
    return f"CREATE TABLE {name(table)} (\n" + ",\n".join(lines) + "\n);"


def foreign_keys(table: dict) -> list[str]:
    return [
        f"ALTER TABLE {name(table)} ADD FOREIGN KEY ({', '.join(key['columns'])})"
        f" REFERENCES {key['references']} ({', '.join(key['to_columns'])});"
        for key in table.get("foreign_keys", [])
    ]


def comments(table: dict) -> list[str]:
    kind = "VIEW" if table["type"] == "VIEW" else "TABLE"
    lines = []
    if "description" in table:
        lines.append(f"COMMENT ON {kind} {name(table)} IS {quoted(table['description'])};")
    for column in table["columns"]:
        if "description" in column:
            lines.append(f"COMMENT ON COLUMN {name(table)}.{column['name']} IS {quoted(column['description'])};")
    return lines


def statements() -> list[str]:
    everything = json.loads(DEMO.read_text(encoding="utf-8"))["tables"]
    warehouse = [table for table in everything if table["type"] != "SOURCE"]
    tables = [table for table in warehouse if table["type"] != "VIEW"]
    views = [table for table in warehouse if table["type"] == "VIEW"]
    lines = [f"CREATE SCHEMA {schema};" for schema in sorted({table["schema"] for table in warehouse})]
    lines += [create(table) for table in tables]
    lines += [line for table in tables for line in foreign_keys(table)]
    lines += [f"CREATE VIEW {name(view)} AS{VIEWS[view['name']]};" for view in views]
    lines += [line for table in warehouse for line in comments(table)]
    return lines


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    print("\n".join(statements()))
