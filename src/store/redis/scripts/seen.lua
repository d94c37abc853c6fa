-- ARGV: 'delivered', a position and whether to a client without a cursor (0 or 1), or 'shown' or 'left' and a turn, or
-- 'missed'. Returns what is owed to the one who asks for it: the turn, and the position of its end if that is there.
local row = redis.call('HMGET', session, 'q', 't', 'run', 'd', 'ow', 'aw')
if not row[1] then
  return { '', 0 }
end
local seq, turn, running = tonumber(row[1]), row[2] or '', row[3] == '1'
local delivered, owed, away = tonumber(row[4] or '0'), tonumber(row[5] or '0'), tonumber(row[6] or '0')
if ARGV[3] == 'delivered' then
  local position = math.min(tonumber(ARGV[4]), seq)
  if position > delivered then
    redis.call('HSET', session, 'd', position)
  end
  -- Whoever confirms an older end is not owed it any more.
  if ARGV[5] == '1' and position == seq and not running and owed > 0 then
    redis.call('HINCRBY', session, 'ow', -1)
  end
  return { '', 0 }
end
if ARGV[3] == 'shown' or ARGV[3] == 'left' then
  if turn == ARGV[4] then
    redis.call('HINCRBY', session, ARGV[3] == 'shown' and 'ow' or 'aw', 1)
  end
  return { '', 0 }
end
-- A server that is full still tells what was missed.
if running then
  -- One of those who left is back, to whom the end is owed already.
  if away > 0 then
    redis.pcall('HINCRBY', session, 'aw', -1)
  else
    redis.pcall('HINCRBY', session, 'ow', 1)
  end
  return { turn, 0 }
end
if seq == 0 or (owed == 0 and delivered >= seq) then
  return { '', 0 }
end
if owed == 0 then
  redis.pcall('HINCRBY', session, 'ow', 1)
end
return { turn, seq }
