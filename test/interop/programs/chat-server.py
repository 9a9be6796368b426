"""A server of the group chat's format: python3 chat-server.py

One thread for each connection; keeps every message and sends all of them, 0.2 s apart, to whoever registers. Prints its
port, then each registration and message.
"""
import socket
import threading
import time

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 0))
listener.listen()
print(f"port={listener.getsockname()[1]}", flush=True)
connections = []
messages = []
lock = threading.Lock()


def deliver(connection):
    while True:
        with lock:
            due = messages[connection["last"]:]
        if not due:
            return
        for message in due:
            connection["channel"].send(message.encode())
            connection["last"] += 1
            time.sleep(0.2)


def serve(channel):
    name = None
    while True:
        read = channel.recv(1024).decode()
        if not read:
            return
        if read.startswith("nome="):
            name = read.split("=")[1]
            print(f"registered={name}", flush=True)
            connection = {"channel": channel, "name": name, "last": 0}
            connections.append(connection)
            deliver(connection)
        elif read.startswith("msg="):
            with lock:
                messages.append(f"msg={name}={read.split('=')[1]}")
            print(messages[-1], flush=True)
            for connection in list(connections):
                try:
                    deliver(connection)
                except OSError:
                    connections.remove(connection)


while True:
    accepted, _ = listener.accept()
    threading.Thread(target=serve, args=(accepted,), daemon=True).start()
