"""A network between two processes that a test can cut, in two ways."""

import contextlib
import socket
import struct
import threading


class Proxy:
    """To a port of this machine. While `open` is clear, connections hang; while `refuses`, they are reset."""

    def __init__(self, port):
        self.target, self.refuses = port, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = threading.Event()
        self.open.set()
        self.sockets = set()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                if self.refuses:
                    raise ConnectionRefusedError
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:  # its server is down, which is no reason to serve nobody later
                reset(client)
                client.close()
                continue
            self.sockets |= {client, server}
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self.copy, args=(source, sink), daemon=True).start()

    def copy(self, source, sink):
        try:
            while piece := source.recv(65536):
                self.open.wait()
                sink.sendall(piece)
        except OSError:
            pass
        for end in (source, sink):
            end.close()
            self.sockets.discard(end)

    def silence(self):
        """Nothing arrives, and nobody is told."""
        self.open.clear()

    def cut(self):
        """All connections are reset, and new ones are refused."""
        self.refuses = True
        self.drop()

    def heal(self):
        self.refuses = False
        self.open.set()

    def lead_to(self, port):
        """Connections of before are reset."""
        self.target = port
        self.drop()

    def drop(self):
        for each in list(self.sockets):
            reset(each)

    def end(self):
        self.listener.close()
        self.open.set()


def reset(connection):
    """Whoever closes it sends RST."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
