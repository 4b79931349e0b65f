-- Read a user's counters of the newest days or months.
-- KEYS[1] what the user's counters begin with
-- ARGV[1] day | month · ARGV[2] how many
-- Returns {name of this one, name of the oldest, {name, {field, amount, …}}, …}, the newest first, without empty ones
-- @include now
-- @include calendar
-- @include usage
local names = newest_periods(ARGV[1], tonumber(ARGV[2]), now())
local found = { names[1], names[#names] }
for _, name in ipairs(names) do
    local counts = redis.call('HGETALL', KEYS[1] .. ':' .. name)
    if #counts > 0 then found[#found + 1] = { name, counts } end
end
return found
