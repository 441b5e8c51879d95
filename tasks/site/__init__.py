"""The catalogue over HTTP: read-only, on loopback unless told otherwise, nothing but what was published."""

from tasks.site.app import PASSWORD_VARIABLE, catalogue_app
from tasks.site.guard import LOOPBACK_NAMES, Brake
from tasks.site.server import catalogue_server, serve_catalogue

__all__ = ["LOOPBACK_NAMES", "PASSWORD_VARIABLE", "Brake", "catalogue_app", "catalogue_server", "serve_catalogue"]
