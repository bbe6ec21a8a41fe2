-- Strikes a job off and answers it, in one.
--
-- KEYS  queue, held, counts, the gateway's list of replies
-- ARGV  job, its member of held, the reply (or ''), seconds that a reply waits, key, key, …
--       the last are the job's own keys: lease, tries, job, images
--
-- Deletions first: with them done, a Redis that is out of memory lets the reply in (see renew.lua), and has room for it.
local queue, held, counts, replies = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local job, member, reply, reply_ttl_s = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

for i = 5, #ARGV do
    redis.call('DEL', ARGV[i])
end
-- Counted once, also where it was done twice: by whoever struck it off.
if redis.call('ZREM', queue, job) == 1 then
    redis.pcall('HINCRBY', counts, reply ~= '' and 'done' or 'dropped', 1)
end
redis.call('ZREM', held, member)
if reply ~= '' then
    redis.call('RPUSH', replies, reply)
    redis.call('EXPIRE', replies, reply_ttl_s)
end
