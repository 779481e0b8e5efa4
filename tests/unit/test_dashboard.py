"""The dashboard asks for metrics that the services have, with the labels that they have."""

import json
import re
from pathlib import Path

from prometheus_client import REGISTRY, ProcessCollector

import kensoku.acquisition.replay
import kensoku.association.service
import kensoku.catalog.service
import kensoku.inference
import kensoku.location.service
import kensoku.runtime
import kensoku.supervision
import kensoku.triggering.service
import kensoku.triton  # noqa: F401  # each makes its metrics

BOARD = json.loads((Path(__file__).parents[2] / "deploy_k8s" / "grafana" / "kensoku.json").read_text())
NO_METRIC = re.compile(r"\b(?:by|without) \([^)]*\)|\{[^}]*\}|\bhistogram_quantile\b")  # labels and functions


def metrics_in(expression: str) -> set[str]:
    """Every name of two words or more: functions but one have no underscore."""
    return set(re.findall(r"[a-z]+(?:_[a-z]+)+", NO_METRIC.sub("", expression)))


def expressions() -> list[str]:
    return [target["expr"] for panel in BOARD["panels"] for target in panel.get("targets", [])]


def known() -> dict[str, set[str]]:
    """Names as Prometheus has them, and their labels."""
    found: dict[str, set[str]] = {}
    for collector in set(REGISTRY._collector_to_names):
        labels = set(getattr(collector, "_labelnames", ()))
        for name in REGISTRY._collector_to_names[collector]:
            found[name] = labels
    return found | {family.name: set() for family in ProcessCollector(registry=None).collect()}


def test_a_sum_is_told_also_where_one_of_its_parts_has_never_been() -> None:
    """In Prometheus nothing plus something is nothing."""
    sums = [expression for expression in expressions() if re.search(r"\) \+ ", expression)]
    assert sums
    assert all(part.endswith("or vector(0))") for expression in sums for part in expression.split(" + "))


def test_every_metric_of_the_dashboard_is_there() -> None:
    asked = set().union(*map(metrics_in, expressions()))
    assert len(asked) > 30
    services = {"acquisition", "triggering", "association", "location", "catalog", "bus", "inference", "triton"}
    assert services <= {name.partition("_")[0] for name in asked}
    assert asked <= known().keys(), asked - known().keys()


def test_every_label_of_the_dashboard_is_there() -> None:
    metrics = known()
    for expression in expressions():
        labels = set().union(*(metrics[name] for name in metrics_in(expression))) | {"le"}
        asked = {name.strip() for group in re.findall(r"by \(([a-z_, ]+)\)", expression) for name in group.split(",")}
        asked |= set(re.findall(r"([a-z_]+)!?=", expression))
        assert asked <= labels, expression


def test_panels_do_not_lie_over_each_other() -> None:
    taken = set[tuple[int, int]]()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
