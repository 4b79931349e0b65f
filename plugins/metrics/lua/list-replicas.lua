-- The processes that are not silent.
-- KEYS[1] replicas (hash): id → `<when it was seen> <JSON>`
-- ARGV[1] milliseconds of silence after which one is gone
-- Returns {id, when it was seen, JSON, …}
-- @include now
local at, found = now(), {}
local flat = redis.call('HGETALL', KEYS[1])
for n = 1, #flat, 2 do
    local seen, figures = flat[n + 1]:match('^(%d+) (.*)$')
    if at - tonumber(seen) <= tonumber(ARGV[1]) then
        found[#found + 1] = flat[n]
        found[#found + 1] = seen
        found[#found + 1] = figures
    end
end
return found
