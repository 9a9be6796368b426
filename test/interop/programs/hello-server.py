"""A server of the greeting format, one client after the other: python3 hello-server.py; prints its port."""
import socket

door = socket.socket()
door.bind(("127.0.0.1", 0))
door.listen(16)
print("port", door.getsockname()[1], flush=True)
while True:
    channel, _ = door.accept()
    print("greeting=" + channel.recv(1024).decode(), flush=True)
    channel.send(b"Hello from server")
    channel.close()
