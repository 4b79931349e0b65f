-- Read a page of a user's own audit entries, newest first. An entry that the audit keeps no more is left out.
-- KEYS[1] the user's activity: a list of the ids of audit entries, newest first · KEYS[2] audit
-- ARGV[1] id of the last entry seen, or '' · ARGV[2] how many
-- Returns {id of the last entry of the page, or '' where no more follow, {{entry id, {field, value, …}}, …}}
local limit = tonumber(ARGV[2])
local first = 0
if ARGV[1] ~= '' then
    local seen = redis.call('LPOS', KEYS[1], ARGV[1])
    -- It was among the oldest, and they are gone.
    if not seen then return { '', {} } end
    first = seen + 1
end
local found = redis.call('LRANGE', KEYS[1], first, first + limit)
local entries = {}
for n = 1, math.min(limit, #found) do
    local entry = redis.call('XRANGE', KEYS[2], found[n], found[n])[1]
    if entry then entries[#entries + 1] = entry end
end
return { #found > limit and found[limit] or '', entries }
