// src/hooks/useWebSocket.ts
import { useCallback, useEffect, useRef, useState } from 'react';

interface Message {
  type: 'user' | 'agent' | 'agent_partial' | 'tool' | 'error';
  content: string;
  tool_name?: string;
}

export function useWebSocket(sessionId: string) {
  const [isConnected, setIsConnected] = useState(false);
  const [messages, setMessages] = useState<Message[]>([]);
  const wsRef = useRef<WebSocket | null>(null);

  useEffect(() => {
    const ws = new WebSocket(`ws://localhost:8000/ws/${sessionId}`);
    wsRef.current = ws;

    ws.onopen = () => setIsConnected(true);
    ws.onclose = () => setIsConnected(false);

    ws.onmessage = (event) => {
      const data: Message = JSON.parse(event.data);

      if (data.type === 'agent_partial') {
        // Update last partial message
        setMessages(prev => {
          const newMessages = [...prev];
          const partialIdx = newMessages.findIndex(m => m.type === 'agent_partial');
          if (partialIdx >= 0) {
            newMessages[partialIdx] = data;
          } else {
            newMessages.push(data);
          }
          return newMessages;
        });
      } else {
        // Replace partial with final or add new message
        setMessages(prev => [
          ...prev.filter(m => m.type !== 'agent_partial'),
          data
        ]);
      }
    };

    return () => ws.close();
  }, [sessionId]);

  const sendMessage = useCallback((content: string) => {
    if (wsRef.current?.readyState === WebSocket.OPEN) {
      wsRef.current.send(JSON.stringify({ content }));
    }
  }, []);

  return { isConnected, messages, sendMessage };
}
