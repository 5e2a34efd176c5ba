"""`coldlink sim` as a program: ready line, faults by socket, histories of moves, and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BINH_MINH = ROOT / "firmware-config" / "plants" / "binh-minh.yaml"


def coldlink(*words, **more):
    return subprocess.run(
        [sys.executable, "-m", "coldlink", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        **more,
    )


class Program:
    def __init__(self, run_dir, *words):
        self.run_dir = run_dir
        self.process = subprocess.Popen(
            [sys.executable, "-m", "coldlink", "sim", "run", str(BINH_MINH), "--run", str(run_dir), *map(str, words)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        line = self.process.stdout.readline()
        assert line.startswith("plant ready "), line
        self.endpoints = json.loads(line.removeprefix("plant ready "))

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(20)
        self.process.stdout.close()
        return code


@pytest.fixture
def start(tmp_path):
    started = []

    def begin(*words, run_dir=None):
        started.append(Program(run_dir or tmp_path / "run", *words))
        return started[-1]

    yield begin
    for program in started:
        if program.process.poll() is None:
            program.end(signal.SIGKILL)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_plant_leaves_no_line_and_no_socket(start, how):
    program = start()
    links = [Path(bus["tty"]) for bus in program.endpoints["buses"] if "tty" in bus]
    assert len(links) == 4
    assert all(link.resolve().is_char_device() for link in links)
    assert program.end(how) == 0
    assert {entry.name for entry in program.run_dir.iterdir()} == {"moves.jsonl"}


def test_a_killed_plant_can_start_again_in_the_same_place(start):
    first = start()
    first.end(signal.SIGKILL)
    second = start()
    assert json.loads((second.run_dir / "plant.json").read_text()) == second.endpoints
    assert second.end() == 0


def test_faults_are_set_listed_and_cleared_from_outside(start, tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)  # a UNIX socket address holds 108 bytes
    program = start(run_dir=deep)
    there = ("--run", deep)
    assert coldlink("sim", "fault", "late", "kho-lanh-a-probe", "--ms", 400, *there).returncode == 0
    assert coldlink("sim", "fault", "door-open", "kho-lanh-b", *there).stdout == "done\n"
    listed = coldlink("sim", "fault", "list", *there).stdout
    assert listed == "kho-lanh-a-probe: late 400\nkho-lanh-b: door-open\n"
    wrong = coldlink("sim", "fault", "tired", "kho-lanh-b", *there)
    assert (wrong.returncode, "door-open" in wrong.stderr) == (2, True)
    assert coldlink("sim", "fault", "clear", *there).returncode == 0
    assert coldlink("--log-format", "json", "sim", "fault", "list", *there).stdout == '{"ok": true, "faults": []}\n'
    told = coldlink("sim", "endpoints", *there).stdout
    assert json.loads(told) == program.endpoints


def test_without_a_plant_the_answer_says_what_to_do(tmp_path):
    answer = coldlink("sim", "fault", "list", "--run", tmp_path)
    assert answer.returncode == 1
    assert "coldlink sim run" in answer.stderr


def test_a_wrong_plant_file_is_refused(tmp_path):
    path = tmp_path / "plant.yaml"
    path.write_text(BINH_MINH.read_text().replace("climate: dock", "climate: tropical"))
    answer = coldlink("sim", "run", path, "--run", tmp_path)
    assert answer.returncode == 2
    assert "tropical" in answer.stderr and "cold_store" in answer.stderr


class Cloud:
    """The public interface as the plant sees it; down for the first requests."""

    def __init__(self, down_for):
        self.posts, self.down = [], down_for
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if cloud.down:
                    cloud.down -= 1
                    self.send_response(503)
                else:
                    cloud.posts.append((self.path, body))
                    self.send_response(409 if self.path.endswith("/move") else 201)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def test_lots_are_announced_to_a_cloud_in_order_and_again_after_it_was_down(start):
    cloud = Cloud(down_for=2)
    program = start("--cloud", cloud.url)
    deadline = time.monotonic() + 30
    while not any(path.endswith("/load") for path, _ in cloud.posts) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert program.end() == 0
    cloud.close()
    paths = [path for path, _ in cloud.posts]
    first = cloud.posts[0]
    assert first[0] == "/api/v1/lots"
    assert set(first[1]) == {"key", "gtin", "name", "quantity_kg", "created_at"}
    load = next(i for i, path in enumerate(paths) if path.endswith("/load"))
    carrier = cloud.posts[load - 1][1]
    assert paths[load] == f"/api/v1/carriers/{carrier['epc']}/load"
    assert cloud.posts[load][1]["lot"] in {body.get("key") for _, body in cloud.posts[:load]}


def test_the_ledger_survives_a_killed_plant(start, tmp_path):
    from simulator.ledger import read_ledger

    ledger = tmp_path / "ledger.jsonl"
    program = start("--ledger", ledger)
    scale = next(bus["tty"] for bus in program.endpoints["buses"] if bus["id"] == "scale-1")
    port = os.open(scale, os.O_RDWR | os.O_NOCTTY)
    answers = b""
    for _ in range(5):
        os.write(port, b"SI\r\n")
        while not answers.endswith(b"\n"):
            answers += os.read(port, 100)
        answers += b" "
    program.end(signal.SIGKILL)
    os.close(port)
    told = [line.split()[2].decode() for line in answers.split(b"\r\n") if line.strip()]
    assert [row.value for row in read_ledger(ledger)] == told
