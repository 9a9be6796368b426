"""One process of a classic group of vector clocks, for the tests: datagrams CONTENT:PID:IP:V0, V1, V2.

It keeps the classic rules: sending ticks the own entry, receiving does not, and a message is delivered only when its
vector equals the local one with the sender's entry one higher. Others wait and are looked at again after each delivery.

Its steps come as arguments, in order: "all=TEXT" sends to everybody else, "one=HOST=TEXT" to one, "await=N" waits
until N messages are delivered. It ends after the last step, and prints each delivery.
"""

import argparse
import socket

PORT = 5050

parser = argparse.ArgumentParser()
parser.add_argument("--process_id", type=int, required=True)
parser.add_argument("--number_processes", type=int, default=3)
parser.add_argument("--address", required=True)
parser.add_argument("--peers", required=True, help="hosts of the others, with commas")
parser.add_argument("steps", nargs="*")
options = parser.parse_args()

own = options.process_id
clock = [0] * options.number_processes
pending = []
delivered = 0

endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
endpoint.bind((options.address, PORT))
endpoint.settimeout(30)
print("ready", flush=True)


def send(hosts, content):
    clock[own] += 1
    vector = ", ".join(str(entry) for entry in clock)
    text = f"{content}:{own}:{options.address}:{vector}"
    for host in hosts:
        endpoint.sendto(text.encode("utf-8"), (host, PORT))


def deliverable(sender, vector):
    expected = list(clock)
    expected[sender] += 1
    return vector == expected


def receive():
    global delivered
    content, sender, host, entries = endpoint.recv(1024).decode("utf-8").split(":")
    pending.append((content, int(sender), host, [int(entry) for entry in entries.split(", ")]))
    found = True
    while found:
        found = False
        for message in list(pending):
            text, sender, host, vector = message
            if deliverable(sender, vector):
                pending.remove(message)
                clock[sender] += 1
                delivered += 1
                found = True
                print(f"delivered {sender} {host} {clock} {text}", flush=True)


for step in options.steps:
    kind, _, rest = step.partition("=")
    if kind == "all":
        send(options.peers.split(","), rest)
    elif kind == "one":
        host, _, text = rest.partition("=")
        send([host], text)
    elif kind == "await":
        while delivered < int(rest):
            receive()
    else:
        raise SystemExit(f"unknown step {step}")
print(f"over {clock} {len(pending)}", flush=True)
