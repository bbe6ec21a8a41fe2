-- How one kind's queue is, at one moment: for metrics, for `fidox queue`, for the console. Reads only.
--
-- KEYS  queue, held, workers, pace, counts (see shared/keys.py)
-- ARGV  prefix of lease keys
-- Gives {waiting, running, age of the oldest that waits in ms, places held, bytes held, live workers, ms a job as text,
--        {field, count, …}}
--
-- The queue's set has what waits and what runs; what a worker has begun has a lease. Admission bounds how many there are.
local queue, held, workers, pace, counts = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local lease_prefix = ARGV[1]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local waiting, running, oldest = 0, 0, now
local jobs = redis.call('ZRANGE', queue, 0, -1, 'WITHSCORES')
for i = 1, #jobs, 2 do
    if redis.call('EXISTS', lease_prefix .. jobs[i]) == 1 then
        running = running + 1
    else
        waiting = waiting + 1
        oldest = math.min(oldest, tonumber(jobs[i + 1]))
    end
end
local places = redis.call('ZRANGEBYSCORE', held, '(' .. now, '+inf')
local bytes = 0
for _, place in ipairs(places) do
    bytes = bytes + tonumber(string.match(place, '%d+$'))
end
return {
    waiting,
    running,
    now - oldest,
    #places,
    bytes,
    redis.call('ZCOUNT', workers, '(' .. now, '+inf'),
    redis.call('HGET', pace, 'job_ms') or '',
    redis.call('HGETALL', counts),
}
