-- Put newly sealed texts in the place of old ones, each only where it still is the old one.
-- KEYS[1] a hash
-- ARGV field, old, new, field, old, new, …
-- Returns how many were replaced
local count = 0
for n = 1, #ARGV, 3 do
    if redis.call('HGET', KEYS[1], ARGV[n]) == ARGV[n + 1] then
        redis.call('HSET', KEYS[1], ARGV[n], ARGV[n + 2])
        count = count + 1
    end
end
return count
