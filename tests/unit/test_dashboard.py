"""The dashboard asks for metrics that the services have, with the labels that they have."""

import json
import re
from pathlib import Path

from prometheus_client import REGISTRY

import kensoku.acquisition.replay
import kensoku.inference
import kensoku.runtime
import kensoku.supervision
import kensoku.triggering.service
import kensoku.triton  # noqa: F401  # each makes its metrics

BOARD = json.loads((Path(__file__).parents[2] / "deploy_k8s" / "grafana" / "kensoku.json").read_text())
METRIC = re.compile(r"\b(?:triggering|acquisition|inference|supervision|service|triton|bus)_[a-z_]+")


def expressions() -> list[str]:
    return [target["expr"] for panel in BOARD["panels"] for target in panel.get("targets", [])]


def known() -> dict[str, set[str]]:
    """Names as Prometheus has them, and their labels."""
    found: dict[str, set[str]] = {}
    for collector in set(REGISTRY._collector_to_names):
        labels = set(getattr(collector, "_labelnames", ()))
        for name in REGISTRY._collector_to_names[collector]:
            found[name] = labels
    return found


def test_every_metric_of_the_dashboard_is_there() -> None:
    asked = {name for expression in expressions() for name in METRIC.findall(expression)}
    assert len(asked) > 20
    assert asked <= known().keys(), asked - known().keys()


def test_every_label_of_the_dashboard_is_there() -> None:
    metrics = known()
    for expression in expressions():
        labels = set().union(*(metrics[name] for name in METRIC.findall(expression))) | {"le"}
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
