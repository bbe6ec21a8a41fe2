-- May this job come in? Reserves its place where it may, before any image is sent.
--
-- KEYS  queue-independent: held, workers, pace (see shared/keys.py)
-- ARGV  member ("ID BYTES"), bytes, deadline in ms, most jobs, most bytes
-- Gives {verdict, Redis time in ms, retry after in ms, live workers}
--
-- All times are this server's clock, so that gateways and workers need not agree on one.
local held, workers, pace = KEYS[1], KEYS[2], KEYS[3]
local member, bytes = ARGV[1], tonumber(ARGV[2])
local deadline_ms, most_jobs, most_bytes = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call('ZREMRANGEBYSCORE', workers, '-inf', now)
local alive = redis.call('ZCARD', workers)
if alive == 0 then
    return {'unavailable', now, 1000, 0}
end

-- A gateway that died with a reservation, or a job that nobody answered, holds its place no longer than its deadline.
redis.call('ZREMRANGEBYSCORE', held, '-inf', now)
local jobs = redis.call('ZCARD', held)
local job_ms = tonumber(redis.call('HGET', pace, 'job_ms') or '0')
local wait_ms = jobs * job_ms / alive
-- An empty queue takes a job however slow the last ones were: only a job done can say that it is fast again.
if jobs >= most_jobs or (jobs > 0 and wait_ms + job_ms > deadline_ms) then
    return {'overloaded', now, math.max(1000, math.floor(wait_ms / 2)), alive}
end

local held_bytes = bytes
for _, other in ipairs(redis.call('ZRANGE', held, 0, -1)) do
    held_bytes = held_bytes + tonumber(string.match(other, '%d+$'))
end
-- A single job over the bound is let in when nothing else is held: it could never come in otherwise.
if held_bytes > most_bytes and jobs > 0 then
    return {'overloaded', now, math.max(1000, math.floor(wait_ms / 2)), alive}
end

redis.call('ZADD', held, now + deadline_ms, member)
return {'admitted', now, 0, alive}
