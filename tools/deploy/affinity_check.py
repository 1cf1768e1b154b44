#!/usr/bin/env python3
"""affinity_check.py UNICARDIO...: two servers behind nginx, as live.yaml and infer.yaml have them. Live sessions stick to a server by their path,
infer requests spread, and when one server is killed no measured sample of the other's patients is lost. Needs nginx; nothing but the standard library.
  tools/deploy/affinity_check.py dotnet $PWD/tools/UniCardio.Cli/bin/Debug/net10.0/unicardio.dll"""
import base64, collections, json, os, pathlib, re, shutil, socket, struct, subprocess, sys, tempfile, threading, time, urllib.request

unicardio = sys.argv[1:] or ["unicardio"]
work = pathlib.Path(tempfile.mkdtemp())


def free():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


front, ports = free(), [free(), free()]
servers = [subprocess.Popen([*unicardio, "serve", "--port", str(p), "--weights", "recipe:1,tiny", "--untrained", "--threads", "1"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for p in ports]
(work / "nginx.conf").write_text(f"""
daemon off; pid {work}/pid; error_log {work}/error; worker_processes 1; events {{ worker_connections 512; }}
http {{
  client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f; uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
  log_format upstream '$uri $upstream_addr $status'; access_log {work}/access upstream;
  upstream live {{ hash $uri consistent; server 127.0.0.1:{ports[0]} max_fails=0; server 127.0.0.1:{ports[1]} max_fails=0; }}
  upstream infer {{ server 127.0.0.1:{ports[0]}; server 127.0.0.1:{ports[1]}; }}
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{
    listen 127.0.0.1:{front};
    location /live/ {{ proxy_pass http://live; proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade; proxy_next_upstream off; proxy_read_timeout 1h; }}
    location / {{ proxy_pass http://infer; proxy_set_header Host $http_host; }}
  }}
}}""")
nginx = subprocess.Popen(["nginx", "-c", str(work / "nginx.conf"), "-p", str(work)], stderr=subprocess.DEVNULL)


class Live:
    """A live connection by PROTOCOL.md over a WebSocket of RFC 6455, as small as can be."""

    def __init__(self, patient):
        self.socket = socket.create_connection(("127.0.0.1", front), timeout=30)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /live/{patient}?measured=first HTTP/1.1\r\nHost: 127.0.0.1:{front}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
        self.file = self.socket.makefile("rb")
        self.status = self.file.readline().decode().strip()
        while self.file.readline().strip():
            pass

    def send(self, message):
        data = json.dumps(message).encode()
        head = bytes([0x81]) + (bytes([0x80 | len(data)]) if len(data) < 126 else struct.pack("!BH", 0x80 | 126, len(data)))
        self.socket.sendall(head + bytes(4) + data)  # a mask of zeros leaves the bytes as they are

    def receive(self):
        head = self.file.read(2)
        if len(head) < 2 or head[0] & 15 == 8:
            return None
        length = head[1] & 127
        length = struct.unpack("!H", self.file.read(2))[0] if length == 126 else struct.unpack("!Q", self.file.read(8))[0] if length == 127 else length
        data = self.file.read(length)
        return json.loads(data) if head[0] & 15 == 1 else {}


def patient(name, seconds, result):
    try:
        live = Live(name)
        live.send({"type": "open", "channels": {"ppg": {"rate": 125}}, "generate": ["bp"], "draws": 1, "sampler": "ddim:1"})
        def push():
            try:
                start = time.monotonic()
                for block in range(int(seconds * 5)):
                    live.send({"type": "samples", "modality": "ppg", "time": block * 0.2, "samples": [((block * 25 + i) % 60) / 60 for i in range(25)]})
                    time.sleep(max(0, start + 0.2 * (block + 1) - time.monotonic()))
                live.send({"type": "complete"})
            except OSError:
                pass
        threading.Thread(target=push, daemon=True).start()
        shown = 0
        while (message := live.receive()) is not None and message.get("type") != "ended":
            if message.get("type") == "frame" and round(message["start"] * 125) <= shown:
                values = message["signals"]["ppg"]["values"]
                for i, value in enumerate(values):
                    at = round(message["start"] * 125) + i
                    if at == shown and value is not None:
                        shown += 1
        result[name] = (shown, message is not None)
    except (OSError, ConnectionError):
        result[name] = (0, False)


def get(path, data=None):
    return urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{front}{path}", data), timeout=30)


try:
    for port in ports:
        for _ in range(300):
            try:
                if urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/health/ready", timeout=2).status == 200:
                    break
            except OSError:
                time.sleep(0.1)
    for _ in range(3):
        for p in range(20):
            live = Live(f"bed-{p}")
            assert "101" in live.status, live.status
            live.socket.close()
    body = json.dumps({"parameters": {"draws": 1, "sampler": "ddim:1"}, "inputs": [{"name": "ppg", "datatype": "FP32", "shape": [1, 100],
                       "data": [(i % 30) / 30 for i in range(100)]}], "outputs": [{"name": "signal"}]}).encode()
    answers = {get("/v2/models/translate/infer", body).read().split(b'"outputs"')[1] for _ in range(20)}
    assert len(answers) == 1, "equal requests got unequal results"
    time.sleep(0.5)
    log = (work / "access").read_text().splitlines()
    homes = collections.defaultdict(set)
    for line in log:
        if line.startswith("/live/"):
            homes[line.split()[0]].add(line.split()[1])
    spread = collections.Counter(line.split()[1] for line in log if line.startswith("/v2/"))
    assert len(homes) == 20 and all(len(h) == 1 for h in homes.values()), homes
    beds = {p: [f"bed-{b}" for b in range(20) if homes[f"/live/bed-{b}"] == {f"127.0.0.1:{p}"}] for p in ports}
    assert all(beds.values()) and len(spread) == 2 and min(spread.values()) >= 8, (beds, spread)
    print(f"20 patients, 3 connections each: every patient at one server, {[len(beds[p]) for p in ports]}; 20 infer requests: {sorted(spread.values())}, equal results")
    seconds, result = 12, {}
    watched = beds[ports[0]][:4] + beds[ports[1]][:4]
    threads = [threading.Thread(target=patient, args=(name, seconds, result)) for name in watched]
    [t.start() for t in threads]
    time.sleep(seconds / 2)
    servers[1].kill()
    [t.join(60) for t in threads]
    stayed = {n: result[n] for n in watched if n in beds[ports[0]]}
    gone = {n: result[n] for n in watched if n in beds[ports[1]]}
    assert all(r == (seconds * 125, True) for r in stayed.values()), stayed
    assert all(not r[1] for r in gone.values()), gone
    answered = sum(get("/v2/models/translate/infer", body).status == 200 for _ in range(10))
    print(f"one server killed: its {len(gone)} patients' connections ended, the other's {len(stayed)} got all {seconds * 125} measured samples each; infer answered {answered} of 10")
    assert answered == 10
finally:
    nginx.terminate()
    for s in servers:
        s.terminate()
    for s in [nginx, *servers]:
        s.wait(20)
    shutil.rmtree(work, ignore_errors=True)
