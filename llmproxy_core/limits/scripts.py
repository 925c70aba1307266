"""What Redis runs: each script is one step, which no other proxy can come between.

The time is that of Redis, so that the clocks of the proxies do not matter. Kinds as in
`counters.py`: requests (string: when the bucket is full again), tokens (hash: slot -> amount), usd
(hash: day -> amount), concurrent (sorted set: lease -> when it ends unless it is renewed).
"""

COMMON = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
local slot, day = math.floor(now / 6), math.floor(now / 86400)
local function pace(rate) return math.floor(60 / rate * 1048576 + 0.5) / 1048576 end
local function add(key, kind, amount, since)
  if kind == 'tokens' then
    local at = slot
    if amount < 0 then at = math.floor(since / 6) end
    if at <= slot - 11 or at > slot then return end
    local had = tonumber(redis.call('HGET', key, at) or '0')
    redis.call('HSET', key, at, string.format('%.17g', math.max(0, had + amount)))
    redis.call('EXPIRE', key, 120)
  elseif kind == 'usd' then
    local at = day
    if amount < 0 then at = math.floor(since / 86400) end
    local had = tonumber(redis.call('HGET', key, at) or '0')
    redis.call('HSET', key, at, string.format('%.17g', math.max(0, had + amount)))
    redis.call('HDEL', key, day - 2)
    redis.call('EXPIRE', key, 172800)
  end
end
"""

RESERVE = (
    COMMON
    + """
-- KEYS: lease, counters; ARGV: lease, its seconds, then per counter: kind, allowed, burst, amount
local longest, which = 0, 0
local function later(wait, index) if wait > longest then longest, which = wait, index end end
for i = 2, #KEYS do
  local key, base = KEYS[i], 4 * i - 6
  local kind, allowed = ARGV[base + 1], tonumber(ARGV[base + 2])
  local burst, amount = tonumber(ARGV[base + 3]), tonumber(ARGV[base + 4])
  if kind == 'requests' then
    local each = pace(allowed)
    local full = math.min(tonumber(redis.call('GET', key) or '0'), now + burst * each)
    later(full - now + each - burst * each - 1e-6, i - 1)
  elseif kind == 'tokens' then
    local slots, used = redis.call('HGETALL', key), 0
    local taken = {}
    for j = 1, #slots, 2 do
      local at = tonumber(slots[j])
      if at > slot - 11 then
        used = used + tonumber(slots[j + 1])
        taken[at] = tonumber(slots[j + 1])
      else
        redis.call('HDEL', key, slots[j])
      end
    end
    local excess = used + amount - allowed * (1 + 1e-9)
    if excess > 0 and amount > allowed then later(math.huge, i - 1)
    elseif excess > 0 then
      local at = slot - 10
      while at < slot do
        excess = excess - (taken[at] or 0)
        if excess <= 0 then break end
        at = at + 1
      end
      later((at + 11) * 6 - now, i - 1)
    end
  elseif kind == 'usd' then
    local used = tonumber(redis.call('HGET', key, day) or '0')
    if used + amount > allowed * (1 + 1e-9) then
      if amount > allowed then later(math.huge, i - 1) else later((day + 1) * 86400 - now, i - 1) end
    end
  else
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    if redis.call('ZCARD', key) >= allowed then later(1, i - 1) end
  end
end
if which > 0 then return {which, string.format('%.6f', math.min(longest, 1e12))} end
for i = 2, #KEYS do
  local key, base = KEYS[i], 4 * i - 6
  local kind, allowed, amount = ARGV[base + 1], tonumber(ARGV[base + 2]), tonumber(ARGV[base + 4])
  if kind == 'requests' then
    local each, burst = pace(allowed), tonumber(ARGV[base + 3])
    local full = math.min(tonumber(redis.call('GET', key) or '0'), now + burst * each)
    full = math.max(full, now) + each
    redis.call('SET', key, string.format('%.17g', full), 'EX', math.ceil(full - now) + 1)
  elseif kind == 'concurrent' then
    redis.call('ZADD', key, now + ARGV[2], ARGV[1])
    redis.call('EXPIRE', key, 86400)
  else
    add(key, kind, amount, now)
  end
end
redis.call('SET', KEYS[1], string.format('%.6f', now), 'EX', 86400)
return {0, ''}
"""
)

SETTLE = (
    COMMON
    + """
-- KEYS: lease, counters; ARGV: lease, 'release' or '', then per counter: kind, allowed, reserved,
-- spent. What is not reserved here, for Redis was away, is counted now, as it was spent.
local done = KEYS[1] .. ':done'
if not redis.call('SET', done, '1', 'NX', 'EX', 86400) then return 0 end
local since = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
for i = 2, #KEYS do
  local key, base = KEYS[i], 4 * i - 6
  local kind, spent = ARGV[base + 1], tonumber(ARGV[base + 4])
  if kind == 'concurrent' then
    redis.call('ZREM', key, ARGV[1])
  elseif kind == 'requests' then
    if since and ARGV[2] == 'release' then
      local full = tonumber(redis.call('GET', key) or '0')
      local back = pace(tonumber(ARGV[base + 2])) - (now - tonumber(since))
      if back > 0 and full > now then
        redis.call('SET', key, string.format('%.17g', full - back), 'KEEPTTL')
      end
    end
  elseif since then
    add(key, kind, spent - tonumber(ARGV[base + 3]), tonumber(since))
  elseif spent > 0 then
    add(key, kind, spent, now)
  end
end
return 1
"""
)

RENEW = """
-- KEYS: sets of leases; ARGV: seconds, then the lease in each set
local time = redis.call('TIME')
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], 'XX', time[1] + time[2] / 1e6 + ARGV[1], ARGV[i + 1])
end
"""
