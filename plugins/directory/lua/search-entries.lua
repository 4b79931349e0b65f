-- One page of the members with a search term that begins so, in the order of the terms. A member with several such terms
-- stands at the first of them only, so there may be many terms with nobody new: as others wait for the script, it ends
-- after so many, with a shorter page, or an empty one. The entries of a tenant are at KEYS[2] followed by its id.
-- KEYS[1] search terms (zset of "<term>\0<tenant id>:<account>") · KEYS[2] what the keys of entries begin with
-- ARGV[1] beginning of the term · ARGV[2] last one seen, or '' · ARGV[3] limit
-- Returns {more (0 | 1), last one that was looked at, member, …}
local MOST_LOOKS = 500
local begin, limit = ARGV[1], tonumber(ARGV[3])
local from = ARGV[2] ~= '' and '(' .. ARGV[2] or '[' .. begin
-- No text in UTF-8 has this byte.
local to = '[' .. begin .. '\255'

local function is_first(term, tenant, account)
    local entry = redis.call('HGET', KEYS[2] .. tenant, account)
    if not entry then return false end
    for _, other in ipairs(cjson.decode(entry).terms) do
        if other:sub(1, #begin) == begin and other < term then return false end
    end
    return true
end

local page, last, more, looks = {}, '', 0, 0
repeat
    local found = redis.call('ZRANGEBYLEX', KEYS[1], from, to, 'LIMIT', 0, limit + 1)
    for _, line in ipairs(found) do
        looks = looks + 1
        local term, tenant, account = line:match('^(.*)%z([^:]+):(.+)$')
        local is_found = is_first(term, tenant, account)
        if looks > MOST_LOOKS or (is_found and #page == limit) then
            more = 1
            break
        end
        from, last = '(' .. line, line
        if is_found then page[#page + 1] = tenant .. ':' .. account end
    end
until more == 1 or #found == 0
return { more, last, unpack(page) }
