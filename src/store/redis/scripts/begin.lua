-- ARGV: turn, trace, message id (or ''), user event, holder, lease ms, questions, window ms, admission kept ms,
-- most events, owner.
local turn, trace, message, data, holder = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local lease, questions, window = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local remembered, most, owner = tonumber(ARGV[11]), tonumber(ARGV[12]), ARGV[13]

local function asked(seq)
  local entry = redis.call('XRANGE', log, seq .. '-0', seq .. '-0')[1]
  if not entry then
    return nil
  end
  for field = 1, #entry[2], 2 do
    if entry[2][field] == 'd' then
      return entry[2][field + 1]
    end
  end
end

if redis.call('EXISTS', session) == 0 then
  -- Keys do not expire at the same instant.
  redis.call('DEL', log, text, messages)
else
  -- A log that lost its tail, or kept one its session forgot, goes on after what there is.
  local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
  local seq = last and tonumber(string.match(last[1], '^(%d+)-')) or 0
  if seq ~= tonumber(redis.call('HGET', session, 'q') or '0') then
    local fields = {}
    for field = 1, last and #last[2] or 0, 2 do
      fields[last[2][field]] = last[2][field + 1]
    end
    redis.call('HSET', session, 'q', seq, 'run', 0)
    redis.call('HDEL', session, 'h', 'by', 'x', 'stop', 'ask', 't', 'ts')
    redis.call('DEL', text)
    if not last then
      -- An empty one remembers positions it had.
      redis.call('DEL', log)
    end
    if fields.t then
      redis.call('HSET', session, 'f', fields.t .. '@' .. fields.m)
    else
      redis.call('HDEL', session, 'f')
    end
  end
end

local row = redis.call('HMGET', session, 'q', 't', 'ts', 'run', 'x', 'tr')
local seq = tonumber(row[1] or '0')
if row[2] == turn then
  return { 'started', row[3] }
end
if message ~= '' then -- dedupe
  local known = redis.call('HGET', messages, message)
  if known then
    local other, at, known_trace = string.match(known, '^(%S+) (%S+) (%S+)$')
    if other == turn then
      return { 'started', at }
    end
    if asked(at) == data then
      return { 'duplicate', other, known_trace, at }
    end
    return { 'conflict' }
  end
end
if seq + 2 > most then
  return { 'full' }
end
if not redis.call('ZSCORE', admissions, turn) then
  if questions < 1 then
    return { 'rate', window }
  end
  -- One from the future was made before the clock was set back, and would never leave.
  local inside = redis.call('ZREVRANGEBYSCORE', admissions, now, '(' .. (now - window), 'WITHSCORES', 'LIMIT', questions - 1, 1)
  if inside[2] then
    return { 'rate', math.max(tonumber(inside[2]) + window - now, 1) }
  end
  redis.call('ZADD', admissions, now, turn)
  redis.call('ZREMRANGEBYSCORE', admissions, '-inf', now - window - remembered)
  redis.call('PEXPIRE', admissions, window + remembered)
end
if row[4] == '1' then
  return { 'busy', row[2] }
end

redis.call('HSETNX', session, 'c', now)
redis.call('HSETNX', session, 'o', owner)
redis.call('DEL', text)
seq = append(turn, trace, 'user', data)
redis.call('HSET', session, 't', turn, 'ts', seq, 'tr', trace, 'run', 1, 'h', holder, 'x', now + lease, 'ow', 0, 'aw', 0)
redis.call('HDEL', session, 'stop', 'over')
if message ~= '' then
  redis.call('HSET', messages, message, turn .. ' ' .. seq .. ' ' .. trace)
end
keep()
return { 'started', seq }
