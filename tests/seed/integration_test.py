@pytest.mark.asyncio
async def test_agent_response():
    """Test agent responds to query."""
    import websockets

    async with websockets.connect("ws://localhost:8000/ws/test") as ws:
        await ws.send(json.dumps({"content": "List all tables"}))

        # Collect all responses
        responses = []
        while True:
            try:
                data = await asyncio.wait_for(ws.recv(), timeout=10)
                responses.append(json.loads(data))
                if responses[-1]["type"] == "agent":
                    break
            except asyncio.TimeoutError:
                break

        # Should have at least user echo and agent response
        assert len(responses) >= 2
        assert any(r["type"] == "agent" for r in responses)
