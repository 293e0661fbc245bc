"""An ASGI application behind a free loopback port, on a thread and an event loop of its own."""

import asyncio
import socket
import threading
import time

import uvicorn


class Service:
    """Runs `app` until `stop`; `url` is known before the application is, so that it can name itself."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.server = None

    def start(self, app, **settings):
        """Serves `app`; `settings` are uvicorn's own, such as those of TLS."""
        config = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1, **settings)
        self.server = uvicorn.Server(config)
        run = self.server.serve(sockets=[self.socket])
        threading.Thread(target=asyncio.run, args=(run,), daemon=True).start()
        deadline = time.monotonic() + 10
        while not self.server.started:
            assert time.monotonic() < deadline, "a service of the suite did not start"
            time.sleep(0.01)

    def stop(self):
        if self.server:
            self.server.should_exit = True
