"""A small schema registry: the REST paths, answers and error codes of Confluent's, as far as a producer and a
consumer of JSON values need them. It can be down, and it can misbehave."""
import base64
import http.server
import json
import ssl
import threading

JSON_TYPE = "application/vnd.schemaregistry.v1+json"


class SchemaRegistry:
    """`papers` (certificate, key): TLS; `login` (user, secret): basic auth is wanted. A port once had is kept."""

    def __init__(self, papers=None, login=None):
        self.papers, self.login = papers, login
        self.subjects = {}  # subject: list of schema ids, the place is the version
        self.schemas = {}   # id: {"schema", "schemaType"}
        self.refuse = None  # (HTTP status, error code, message) for every registration
        self.answer = None  # (method, path) -> (status, headers, body) in place of the registry's own
        self.requests = []  # (method, path, headers, body)
        self.port, self.server = 0, None
        self.next_id = 100042
        self.start()
        self.stop()

    @property
    def url(self):
        return f"{'https' if self.papers else 'http'}://localhost:{self.port}"

    def add(self, subject, schema="{}", kind="JSON"):
        """What POST does, by hand; the id."""
        for known, entry in self.schemas.items():
            if entry == {"schema": schema, "schemaType": kind}:
                break
        else:
            known = self.next_id
            self.next_id += 1
            self.schemas[known] = {"schema": schema, "schemaType": kind}
        versions = self.subjects.setdefault(subject, [])
        if known not in versions:
            versions.append(known)
        return known

    def start(self):
        registry = self
        if self.server:
            return self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_it(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                registry.requests.append((self.command, self.path, dict(self.headers), body))
                status, headers, answer = registry.reply(self.command, self.path, self.headers, body)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(answer)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(answer)
                except OSError:
                    self.close_connection = True
                self.close_connection |= registry.answer is not None

            do_GET = do_POST = handle_it

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

            def finish_request(self, request, address):
                request.settimeout(30)
                if registry.papers:  # the handshake in the connection's own thread
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(*registry.papers)
                    request = context.wrap_socket(request, server_side=True)
                super().finish_request(request, address)

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()
        return self

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()
            self.server = None

    # ---- what it answers ----

    @staticmethod
    def error(status, code, message):
        return status, {"Content-Type": JSON_TYPE}, json.dumps({"error_code": code, "message": message}).encode()

    @staticmethod
    def good(value):
        return 200, {"Content-Type": JSON_TYPE}, json.dumps(value).encode()

    def reply(self, method, path, headers, body):
        if self.answer:
            return self.answer(method, path)
        if self.login:
            want = "Basic " + base64.b64encode(":".join(self.login).encode()).decode()
            if headers.get("Authorization") != want:
                return self.error(401, 401, "Unauthorized")
        parts = path.strip("/").split("/")
        if method == "GET" and parts[:2] == ["schemas", "ids"] and len(parts) == 3:
            found = self.schemas.get(int(parts[2]))
            return self.good(found) if found else self.error(404, 40403, "Schema not found")
        if parts[0] == "subjects" and len(parts) >= 3 and parts[2] == "versions":
            if method == "GET" and parts[3:] == ["latest"]:
                return self.latest(parts[1])
            if method == "POST" and len(parts) == 3:
                return self.register(parts[1], body)
        return self.error(404, 404, "HTTP 404 Not Found")

    def latest(self, subject):
        if subject not in self.subjects:
            return self.error(404, 40401, f"Subject '{subject}' not found.")
        versions = self.subjects[subject]
        entry = self.schemas[versions[-1]]
        answer = {"subject": subject, "version": len(versions), "id": versions[-1], "schema": entry["schema"]}
        if entry["schemaType"] != "AVRO":  # the default is left out
            answer["schemaType"] = entry["schemaType"]
        return self.good(answer)

    def register(self, subject, body):
        if self.refuse:
            return self.error(*self.refuse)
        given = json.loads(body)
        try:
            json.loads(given["schema"])
        except ValueError:
            return self.error(422, 42201, "Invalid schema")
        return self.good({"id": self.add(subject, given["schema"], given.get("schemaType", "AVRO"))})
