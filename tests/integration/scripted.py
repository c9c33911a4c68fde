"""An HTTPS server whose answers a test writes itself: answer(n, path) -> (status, headers, body). n counts
requests from 1. A body may be a callable that writes to the connection and so breaks what it likes."""
import http.server
import shutil
import ssl
import subprocess
import threading

import pytest


class Scripted:
    def __init__(self, folder, answer):
        if not shutil.which("openssl"):
            pytest.skip("SKIPPED: no openssl to make a certificate with")
        self.ca = folder / "scripted.pem"
        key = folder / "scripted.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key, "-out", self.ca, "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        self.paths, self.heads = [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.paths.append(self.path)
                outer.heads.append(dict(self.headers))
                status, headers, body = answer(len(outer.paths), self.path)
                self.send_response(status)
                if not callable(body):
                    headers = {"Content-Length": str(len(body)), **headers}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    if callable(body):
                        body(self)
                        self.close_connection = True
                    else:
                        self.wfile.write(body)
                except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
                    self.close_connection = True

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca, key)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def settings(self):
        return {"API_URL": f"{self.url}/currentMatches", "API_CA_FILE": self.ca, "API_KEY": "key-of-the-tests"}

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def scripted(tmp_path):
    """scripted(answer) starts such a server, ended with the test."""
    servers = []

    def start(answer):
        folder = tmp_path / f"scripted{len(servers)}"
        folder.mkdir()
        servers.append(Scripted(folder, answer))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
