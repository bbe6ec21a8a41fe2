-- Takes the oldest jobs that nobody holds, each with a lease. Drops those that expired: their callers have been answered.
--
-- KEYS  queue (arq's sorted set), counts, workers (by the time until which each counts as alive, in ms)
-- ARGV  worker, lease in ms, most jobs to take, most bytes of images to give along,
--       prefixes of lease, job, tries and image keys
-- Gives {Redis time in ms, dropped, jobs in the queue, live workers, {job, submitted in ms, times begun, the job's data, image, image, …}, …}
--
-- One round trip in place of arq's watch, exists, zscore and exec for each job, and no job is taken twice: a script
-- runs alone. Images past the bound are left for the worker to read. The keys it builds are not in KEYS, so this needs
-- one Redis, not a cluster.
local queue, counts, workers = KEYS[1], KEYS[2], KEYS[3]
local worker, lease_ms, most, most_bytes = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local lease_prefix, job_prefix, tries_prefix, image_prefix = ARGV[5], ARGV[6], ARGV[7], ARGV[8]

local function images_into(found, job)
    local position = 0
    while true do
        local key = image_prefix .. job .. ':' .. position
        local size = redis.call('STRLEN', key)
        if size == 0 or size > most_bytes then
            return
        end
        most_bytes = most_bytes - size
        found[#found + 1] = redis.call('GET', key)
        position = position + 1
    end
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local taken, taken_over, dropped, begin = {}, 0, 0, 0
-- In pieces: the jobs that others are at work on stand first, and there may be hundreds behind them.
while #taken < most do
    local jobs = redis.call('ZRANGEBYSCORE', queue, '-inf', now, 'WITHSCORES', 'LIMIT', begin, 16)
    if #jobs == 0 then
        break
    end
    for i = 1, #jobs, 2 do
        local job, submitted = jobs[i], jobs[i + 1]
        begin = begin + 1
        if #taken == most then
            break
        end
        if redis.call('EXISTS', lease_prefix .. job) == 0 then
            local data = redis.call('GET', job_prefix .. job)
            if not data then
                redis.call('ZREM', queue, job)
                redis.call('DEL', tries_prefix .. job)
                dropped, begin = dropped + 1, begin - 1
            else
                redis.call('SET', lease_prefix .. job, worker, 'PX', lease_ms)
                local tries = redis.call('INCR', tries_prefix .. job)
                -- As long as the job itself may lie here.
                redis.call('PEXPIRE', tries_prefix .. job, math.max(redis.call('PTTL', job_prefix .. job), 1))
                if tries > 1 then
                    taken_over = taken_over + 1
                end
                local found = {job, submitted, tries, data}
                images_into(found, job)
                taken[#taken + 1] = found
            end
        end
    end
end
if taken_over > 0 then
    redis.pcall('HINCRBY', counts, 'taken_over', taken_over)
end
if dropped > 0 then
    redis.pcall('HINCRBY', counts, 'dropped', dropped)
end
return {now, dropped, redis.call('ZCARD', queue), redis.call('ZCOUNT', workers, now, '+inf'), unpack(taken)}
