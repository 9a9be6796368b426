"""A client of the multiplication format: python3 multiplication-client.py PORT A B

Reads once for the acknowledgement and once for the result, as the published client does.
"""
import socket
import sys

port, first, second = sys.argv[1:]
with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as channel:
    channel.sendall(" ".join((first, second)).encode())
    for title in ("ack", "result"):
        print(title, channel.recv(1024).decode(), sep="=")
