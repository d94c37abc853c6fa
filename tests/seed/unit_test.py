import pytest
from fastapi.testclient import TestClient
from src.api.main import app

def test_websocket_connection():
    """Test WebSocket can connect."""
    client = TestClient(app)

    with client.websocket_connect("/ws/test-session") as websocket:
        # Send message
        websocket.send_json({"content": "Hello"})

        # Should receive echo
        data = websocket.receive_json()
        assert data["type"] == "user"
        assert data["content"] == "Hello"
