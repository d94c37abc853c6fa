-- Shared by every script. Keys: the session (hash), its log (stream), the running turn's text, message ids, admissions,
-- and what tells for a while that the session was erased.
-- ARGV[1] channel, ARGV[2] how long keys are kept in ms (0: for ever).
local session, log, text, messages, admissions, erased = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local channel, kept = ARGV[1], tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

local function keep()
  if kept > 0 then
    for _, key in ipairs({ session, log, messages }) do
      redis.call('PEXPIRE', key, kept)
    end
  end
end

-- One event: log, position and publication are one step.
local function append(turn, trace, kind, data)
  local seq = redis.call('HINCRBY', session, 'q', 1)
  local before = redis.call('HGET', session, 'f') or '-'
  redis.call('XADD', log, seq .. '-0', 't', turn, 'k', kind, 'm', now, 'r', trace, 'd', data)
  redis.call('HSET', session, 'f', turn .. '@' .. now, 'u', now)
  if kind == 'approval_request' then
    -- The call waits: nothing is decided about it.
    local asked = cjson.decode(redis.call('HGET', session, 'ask') or '{}')
    asked[cjson.decode(data).call_id] = ''
    redis.call('HSET', session, 'ask', cjson.encode(asked))
  end
  redis.call('PUBLISH', channel, 'E ' .. seq .. ' ' .. turn .. ' ' .. kind .. ' ' .. now .. ' ' .. trace .. ' ' .. before .. ' ' .. data)
  return seq
end

-- The running turn has ended.
local function finish()
  redis.call('HSET', session, 'run', 0)
  redis.call('HDEL', session, 'h', 'by', 'x', 'stop', 'ask')
  redis.call('DEL', text)
  keep()
end

-- Ends the running turn of a process that is gone, with what it had said.
local function seal(turn, trace, head, limit)
  local said = redis.call('GET', text) or ''
  local data = head .. cjson.encode(said) .. '}'
  if #data > limit then
    data = head .. '""}'
  end
  append(turn, trace, 'error', data)
  finish()
end

-- True if the lease of the running turn is over.
local function is_over(lease)
  return tonumber(lease or '0') <= now
end
