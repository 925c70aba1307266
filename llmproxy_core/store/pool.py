"""The pool of connections, which can be disposed of while some of them are in use."""

from sqlalchemy.pool import ConnectionPoolEntry, QueuePool


class DisposablePool(QueuePool):
    """After `dispose`, a connection is closed as it is checked in, by whichever thread does it.

    In SQLAlchemy's pools it would stay open until the garbage collector finds it.
    """

    _disposed = False

    def dispose(self) -> None:
        self._disposed = True
        super().dispose()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        super()._do_return_conn(record)
        # Looked at only now: what is put in before the pool is marked, `dispose` itself closes.
        if self._disposed:
            super().dispose()
