-- One heartbeat: this worker lives, this is its pace, and these leases go on.
--
-- KEYS  workers, pace, parts
-- ARGV  worker, lease in ms, ms a job (or ''), takes jobs (1 or 0), its parts, prefix of lease keys, job, job, …
-- Gives how many of the leases are still this worker's. One that ran out and was taken over is left to its new holder.
local workers, pace, parts = KEYS[1], KEYS[2], KEYS[3]
local worker, lease_ms, job_ms, takes_jobs = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local worker_parts, lease_prefix = ARGV[5], ARGV[6]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- First, and not only to tidy up: a Redis that is out of memory refuses a script's first write if that takes memory, and
-- lets one go on that has begun. Without its heartbeat a worker that lives would count as dead.
redis.call('ZREMRANGEBYSCORE', workers, '-inf', now)
-- One that is finishing its last jobs holds on to them, and is not counted on for more.
if takes_jobs == '1' then
    redis.call('ZADD', workers, now + lease_ms, worker)
    redis.call('HSET', parts, worker, worker_parts)
end
for _, other in ipairs(redis.call('HKEYS', parts)) do
    if not redis.call('ZSCORE', workers, other) then
        redis.call('HDEL', parts, other)
    end
end
if job_ms ~= '' then
    redis.call('HSET', pace, 'job_ms', job_ms)
    redis.call('EXPIRE', pace, 300)
end
local mine = 0
for i = 7, #ARGV do
    if redis.call('GET', lease_prefix .. ARGV[i]) == worker then
        redis.call('PEXPIRE', lease_prefix .. ARGV[i], lease_ms)
        mine = mine + 1
    end
end
return mine
