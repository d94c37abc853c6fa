-- ARGV: 'delivered' and a position, or 'left' and a turn, or 'missed'.
local row = redis.call('HMGET', session, 'q', 't', 'run', 'd', 'w')
if not row[1] then
  return 0
end
local seq, missed = tonumber(row[1]), tonumber(row[5] or '0')
if ARGV[3] == 'delivered' then
  local position = math.min(tonumber(ARGV[4]), seq)
  if position > tonumber(row[4] or '0') then
    redis.call('HSET', session, 'd', position)
  end
  return 1
end
if ARGV[3] == 'left' then
  -- One that left in a later turn has seen the end of this one.
  if row[2] == ARGV[4] then
    redis.call('HINCRBY', session, 'w', 1)
  end
  return 1
end
-- Who comes back while the turn runs sees its end live.
if missed > 0 then
  redis.call('HINCRBY', session, 'w', -1)
end
if row[3] == '1' or seq == 0 then
  return 0
end
if missed > 0 or tonumber(row[4] or '0') < seq then
  return seq
end
return 0
