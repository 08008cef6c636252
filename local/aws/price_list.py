"""AWS's price list, simulated over the tariff that the simulated bill is made with: GetProducts, a product a price."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from werkzeug.wrappers import Request, Response

from local.simulators.meter import AWS_TARIFF, HOURS_A_MONTH, Price

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_TARGET: Final = "AWSPriceListService.GetProducts"
_SYSTEMS: Final = {"Linux": Decimal(1), "Windows": Decimal("1.5")}
"""What a system costs, in relation to Linux; how it is on AWS depends on the size."""


class PriceList:
    """A WSGI application. Prices are those of us-east-1, whichever region is asked for."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the Price List Query API would."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.headers.get("X-Amz-Target") != _TARGET:
            return _json({"__type": "InvalidParameterException", "Message": "only GetProducts is simulated"}, 400)
        query = json.loads(request.get_data())
        wanted = {it["Field"]: it["Value"] for it in query.get("Filters", ())}
        found = [json.dumps(product) for product in _products(wanted)] if query["ServiceCode"] == "AmazonEC2" else []
        return _json({"FormatVersion": "aws_v1", "PriceList": found})


def _products(wanted: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for (kind, name), price in AWS_TARIFF.prices.items():
        if name == "*":
            continue
        for attributes, unit, amount in _offers(kind, name, price):
            if all(attributes.get(field, value) == value for field, value in wanted.items()):
                yield _product(attributes, unit, amount)


def _offers(kind: str, name: str, price: Price) -> Iterator[tuple[dict[str, str], str, Decimal]]:
    if kind == "volume":
        yield {"productFamily": "Storage", "volumeApiName": name}, "GB-Mo", price.hourly * HOURS_A_MONTH
        return
    for system, factor in _SYSTEMS.items():
        attributes = {"productFamily": "Compute Instance", "instanceType": name, "operatingSystem": system}
        yield attributes, "Hrs", price.hourly * factor


def _product(attributes: Mapping[str, str], unit: str, amount: Decimal) -> dict[str, Any]:
    dimension = {"unit": unit, "pricePerUnit": {"USD": f"{amount:.10f}"}, "beginRange": "0", "endRange": "Inf"}
    return {
        "product": {"attributes": attributes},
        "serviceCode": "AmazonEC2",
        "terms": {"OnDemand": {"term": {"priceDimensions": {"dimension": dimension}}}},
    }


def _json(document: Mapping[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(document), status, content_type="application/x-amz-json-1.1")
