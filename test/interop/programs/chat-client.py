"""A client of the group chat's format: python3 chat-client.py PORT NAME COUNT [TEXT...]

Registers, sends each text as one message, prints what each read gives, and ends after COUNT of them.
"""
import socket
import sys
import threading
import time

port, name, count, texts = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:]
channel = socket.socket()
channel.settimeout(20)
channel.connect(("127.0.0.1", port))
channel.send(f"nome={name}".encode())


def talk():
    for text in texts:
        time.sleep(0.15)
        channel.send(f"msg={text}".encode())


threading.Thread(target=talk, daemon=True).start()
for _ in range(count):
    read = channel.recv(1024).decode()
    if not read:
        break
    # As the published client takes it apart.
    parts = read.split("=", 2)
    print(f"{parts[1]}|{parts[2]}", flush=True)
channel.close()
