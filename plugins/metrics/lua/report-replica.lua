-- Note what a process tells of itself, and forget those that are silent.
-- KEYS[1] replicas (hash): id → `<when it was seen> <JSON>`
-- ARGV[1] id of the process · ARGV[2] JSON of its figures · ARGV[3] milliseconds of silence after which one is gone
-- @include now
local at, silent = now(), tonumber(ARGV[3])
local flat = redis.call('HGETALL', KEYS[1])
for n = 1, #flat, 2 do
    if at - tonumber(flat[n + 1]:match('^%d+')) > silent then redis.call('HDEL', KEYS[1], flat[n]) end
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f ', at) .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], silent)
return 1
