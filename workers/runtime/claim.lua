-- Takes a lease on the oldest jobs that nobody holds. Drops those that expired: their callers have been answered.
--
-- KEYS  queue (arq's sorted set)
-- ARGV  worker, lease in ms, most jobs to take, prefixes of lease, job and tries keys
-- Gives {Redis time in ms, dropped, job, score, job, score, …}
--
-- One round trip in place of arq's watch, exists, zscore and exec for each job, and no job is taken twice: a script
-- runs alone. The keys it builds are not in KEYS, so this needs one Redis, not a cluster.
local queue = KEYS[1]
local worker, lease_ms, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local lease_prefix, job_prefix, tries_prefix = ARGV[4], ARGV[5], ARGV[6]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {now, 0}
local jobs = redis.call('ZRANGEBYSCORE', queue, '-inf', now, 'WITHSCORES')
for i = 1, #jobs, 2 do
    if (#found - 2) / 2 >= most then
        break
    end
    local job, score = jobs[i], jobs[i + 1]
    if redis.call('EXISTS', lease_prefix .. job) == 0 then
        if redis.call('EXISTS', job_prefix .. job) == 0 then
            redis.call('ZREM', queue, job)
            redis.call('DEL', tries_prefix .. job)
            found[2] = found[2] + 1
        else
            redis.call('SET', lease_prefix .. job, worker, 'PX', lease_ms)
            found[#found + 1] = job
            found[#found + 1] = score
        end
    end
end
return found
