-- Stage lines of indexes.
-- KEYS[1] restore · KEYS[2] indexes of the component (set of keys) · KEYS[3] what staged keys begin with
-- ARGV[1] who stages · then of each line its key, `zset` or `hash`, member and score, or field and value
-- Returns 1, 0 somebody else stages, or it is over
local run, phase, deadline = unpack(redis.call('HMGET', KEYS[1], 'run', 'phase', 'until'))
if run ~= ARGV[1] or phase ~= 'staging' then return 0 end
for n = 2, #ARGV, 4 do
    local key = KEYS[3] .. ARGV[n]
    if ARGV[n + 1] == 'hash' then
        redis.call('HSET', key, ARGV[n + 2], ARGV[n + 3])
    else
        redis.call('ZADD', key, ARGV[n + 3], ARGV[n + 2])
    end
    redis.call('PEXPIREAT', key, deadline)
    redis.call('SADD', KEYS[2], ARGV[n])
end
redis.call('PEXPIREAT', KEYS[2], deadline)
return 1
