-- May this job come in? And where its pictures are at hand: let it in, all in one round trip.
--
-- KEYS  held, workers, pace, queue, wake, counts, the job's key, its images' keys (see shared/keys.py)
-- ARGV  step, job id, its member of held ("ID BYTES"), bytes, deadline in ms, most jobs, most bytes,
--       ms its keys live, most wake-up tokens, the job, its images
-- Gives {verdict, retry after in ms}
--
--     step  ask   decide, and reserve the place: large images are not sent to be refused
--           send  the place is reserved
--           both
--     verdict  admitted | unavailable | overloaded | full (this server is out of memory)
--
-- All times are this server's clock, so that gateways and workers need not agree on one.
local held, workers, pace, queue, wake, counts, job_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local step, id, member, bytes = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local deadline_ms, most_jobs, most_bytes = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local ttl_ms, most_tokens, job, first_image = ARGV[8], tonumber(ARGV[9]), ARGV[10], 11

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function refused(verdict, retry_ms)
    -- A server that is out of memory may not let it be counted; the caller is refused all the same. One that has been
    -- demoted knows nothing of workers or room any more: its own words tell the client to look for the new primary.
    local counted = redis.pcall('HINCRBY', counts, 'refused_' .. verdict, 1)
    if type(counted) == 'table' and counted.err and string.find(counted.err, 'READONLY', 1, true) then
        return counted
    end
    return {verdict, retry_ms}
end

-- Reads only: a server that is out of memory refuses a script's first write, and lets one go on that has begun.
if step ~= 'send' then
    local alive = redis.call('ZCOUNT', workers, '(' .. now, '+inf')
    if alive == 0 then
        return refused('unavailable', 1000)
    end
    -- A gateway that died with a reservation, or a job that nobody answered, holds its place no longer than its deadline.
    local others = redis.call('ZRANGEBYSCORE', held, '(' .. now, '+inf')
    local jobs, held_bytes = #others, bytes
    for _, other in ipairs(others) do
        held_bytes = held_bytes + tonumber(string.match(other, '%d+$'))
    end
    local job_ms = tonumber(redis.call('HGET', pace, 'job_ms') or '0')
    local wait_ms = jobs * job_ms / alive
    -- An empty queue takes a job however slow the last ones were: only a job done can say that it is fast again. And
    -- one that is over the bound of bytes by itself, since it could never come in otherwise.
    local too_many = jobs >= most_jobs or (jobs > 0 and wait_ms + job_ms > deadline_ms)
    if too_many or (held_bytes > most_bytes and jobs > 0) then
        return refused('overloaded', math.max(1000, math.floor(wait_ms / 2)))
    end
end

if step ~= 'ask' then
    local kept = redis.pcall('SET', job_key, job, 'PX', ttl_ms)
    if kept.err then
        redis.pcall('ZREM', held, member)
        return refused('full', 1000)
    end
    for i = 8, #KEYS do
        redis.call('SET', KEYS[i], ARGV[first_image + i - 8], 'PX', ttl_ms)
    end
    redis.call('ZADD', queue, now, id)
    redis.call('RPUSH', wake, '')
    redis.call('LTRIM', wake, -most_tokens, -1)
end
if step ~= 'send' then
    local reserved = redis.pcall('ZADD', held, now + deadline_ms, member)
    if type(reserved) == 'table' and reserved.err then
        return refused('full', 1000)
    end
    redis.call('ZREMRANGEBYSCORE', held, '-inf', now)
end
return {'admitted', 0}
