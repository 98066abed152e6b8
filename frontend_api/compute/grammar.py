"""Which SQL may run at all: one aggregate query over one granted table. Checked on DuckDB's own parse of the text,
before it is planned.

    SELECT groups, aggregates, count(*) AS n FROM table [WHERE …] [GROUP BY …] [HAVING …] [ORDER BY …] [LIMIT …]

Why so narrow: the minimum group size rests on the count column, so that column must be `count(*)` over the rows of the
table itself. With a join, a subquery or a made-up row source a count can be inflated; with a FILTER, a CASE or
arithmetic inside an aggregate a large group can carry one person's value; `min`, `max`, `median` and the like are one
person's value. So aggregates take plain columns.

Imports nothing but the standard library: it runs inside the sandbox.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

AGGREGATES = frozenset(
    (
        *("count", "count_star", "sum", "avg", "corr", "covar_pop", "covar_samp"),
        *("var_pop", "var_samp", "variance", "stddev", "stddev_pop", "stddev_samp"),
    )
)
SCALARS = frozenset(
    (
        *("+", "-", "*", "/", "%", "//", "~~", "!~~", "~~*", "!~~*", "||"),
        *("abs", "ceil", "ceiling", "floor", "round", "sign", "sqrt", "exp", "ln", "log10", "log2", "pow", "power"),
        *("coalesce", "nullif", "greatest", "least", "isnan", "isfinite"),
        *("lower", "upper", "length", "trim", "substring", "contains", "starts_with", "prefix", "suffix"),
        *("year", "month", "day", "date_trunc", "date_part"),
    )
)
#: Expression classes of DuckDB's parser that compute from the row or the group at hand, and nothing else.
CLASSES = frozenset(
    ("COLUMN_REF", "CONSTANT", "TYPE", "FUNCTION", "COMPARISON", "CONJUNCTION", "CAST", "CASE", "OPERATOR", "BETWEEN")
)
MODIFIERS = frozenset(("ORDER_MODIFIER", "LIMIT_MODIFIER"))


class Refused(Exception):
    """The query is not of the allowed kind; the message says where it leaves it and quotes no data."""


def check(parsed: Mapping[str, Any], tables: Sequence[str], count_column: str) -> None:
    """Raises `Refused` unless `json_serialize_sql`'s answer is one allowed query whose `count_column` is count(*)."""
    if parsed.get("error"):
        raise Refused("not a SELECT statement that can be parsed")
    statements = parsed["statements"]
    if len(statements) != 1:
        raise Refused("exactly one statement is allowed")
    node = statements[0]["node"]
    if node["type"] != "SELECT_NODE":
        raise Refused("set operations and recursive queries are not allowed")
    _check_clauses(node)
    _check_source(node["from_table"], tables)
    for expression in _expressions(node):
        _check_expression(expression)
    counts = [item for item in node["select_list"] if _is_group_count(item, count_column)]
    named = [item for item in node["select_list"] if item.get("alias", "").lower() == count_column.lower()]
    if len(counts) != 1 or len(named) != 1:
        raise Refused(f"exactly one column must be count(*) AS {count_column}")


def _check_clauses(node: Mapping[str, Any]) -> None:
    if node["cte_map"]["map"]:
        raise Refused("WITH is not allowed")
    if node["qualify"] is not None or node["sample"] is not None:
        raise Refused("QUALIFY and SAMPLE are not allowed")
    if len(node["group_sets"]) > 1:
        raise Refused("one grouping only: no ROLLUP, CUBE or GROUPING SETS")
    if node["aggregate_handling"] != "STANDARD_HANDLING":
        raise Refused("name the grouping: no GROUP BY ALL")
    for modifier in node["modifiers"]:
        if modifier["type"] not in MODIFIERS:
            raise Refused(f"{modifier['type']} is not allowed")


def _check_source(source: Mapping[str, Any], tables: Sequence[str]) -> None:
    if source["type"] != "BASE_TABLE":
        raise Refused("FROM must name one granted table: no join, subquery or function")
    path = source["qualified_name"]["path"]
    if len(path) != 1 or path[0].lower() not in {name.lower() for name in tables}:
        raise Refused("FROM names a table that was not granted")
    if source["sample"] is not None or source["at_clause"] is not None or source["column_name_alias"]:
        raise Refused("the table must be named plainly")


def _expressions(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every expression below a node of the parse tree, outermost first."""
    if isinstance(value, Mapping):
        if "class" in value:
            yield value
        for inner in value.values():
            yield from _expressions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _expressions(inner)


def _check_expression(expression: Mapping[str, Any]) -> None:
    if expression["class"] not in CLASSES:
        raise Refused(f"{expression['class']} expressions are not allowed")
    if expression["class"] != "FUNCTION":
        return
    path = expression["qualified_name"]["path"]
    name = path[-1].lower()
    if len(path) != 1 or expression["schema"] or expression["catalog"]:
        raise Refused("functions must be named without a schema")
    if name in AGGREGATES:
        if expression["filter"] is not None or expression["distinct"] or expression["order_bys"]["orders"]:
            raise Refused(f"{name} takes no FILTER, DISTINCT or ORDER BY")
        if any(argument["expression"]["class"] != "COLUMN_REF" for argument in expression["arguments"]):
            raise Refused(f"{name} takes plain columns only")
    elif name not in SCALARS:
        raise Refused(f"the function {name} is not allowed")


def _is_group_count(item: Mapping[str, Any], count_column: str) -> bool:
    function: str = item.get("function_name", "")
    alias: str = item["alias"]
    return item["class"] == "FUNCTION" and function == "count_star" and alias.lower() == count_column.lower()
