"""Every error a caller of llmproxy may want to catch.

LlmproxyError
├── ConfigError       a setting is wrong: file, key, value and what is allowed
├── ExpressionError   a policy's expression is wrong: column, and what would be right
├── HomeError         the home folder cannot be used
├── SpoolError        a segment cannot be read or written
├── InterchangeError  a file cannot be imported, or calls cannot be exported
├── AdvisorError      the advisor cannot be set up
├── EnhancementError  an enhancement cannot take that step
├── ExperimentError   an experiment cannot take a step
├── ClientError       a program cannot be made to use the proxy
│   └── ProxyDown     no proxy of this home is running
└── StoreError        the database
    ├── DatabaseUnavailable   it does not answer (yet); try again later
    ├── DatabaseTooOld        PostgreSQL before 15
    └── SchemaError           the schema is not the one this code was written for
"""


class LlmproxyError(Exception):
    """Root of all errors raised on purpose; its text is fit to be shown to a person."""


class ConfigError(LlmproxyError):
    """A setting is wrong."""


class ExpressionError(LlmproxyError):
    """An expression of a policy cannot be understood."""


class HomeError(LlmproxyError):
    """The home folder cannot be created, read or written."""


class SpoolError(LlmproxyError):
    """A spool segment cannot be read or written."""


class InterchangeError(LlmproxyError):
    """A file cannot be imported, or calls cannot be exported: which file, where in it, and why."""


class AdvisorError(LlmproxyError):
    """The advisor cannot be set up as it was told to."""


class EnhancementError(LlmproxyError):
    """An enhancement cannot take that step: which one, its status, and what is possible."""


class ExperimentError(LlmproxyError):
    """An experiment cannot take this step from where it is: what is possible instead."""


class ClientError(LlmproxyError):
    """A program cannot be made to use the proxy: no CA, no right to install it."""


class ProxyDown(ClientError):
    """No proxy of this home is running."""


class StoreError(LlmproxyError):
    """The database refused something."""


class DatabaseUnavailable(StoreError):
    """The database does not answer; the caller may try again."""


class DatabaseTooOld(StoreError):
    """The server is older than PostgreSQL 15."""


class SchemaError(StoreError):
    """The schema is older or newer than the code."""
