-- Each request differs from all others in its query.
local number = 0

request = function()
    number = number + 1
    return wrk.format(nil, wrk.path .. "?n=" .. number)
end
