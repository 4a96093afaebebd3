// `node index.js` reads and says where; `node index.js visit` writes first, which a replica refuses with 25006.
const { Sequelize, Visit, sequelize } = require("./models");

async function main() {
  if (process.argv[2] === "visit") await Visit.create({ region: process.env.FLY_REGION });
  const [where] = await sequelize.query("SELECT pg_is_in_recovery() AS replica, inet_server_addr() AS address, current_user AS role", {
    type: Sequelize.QueryTypes.SELECT,
  });
  console.log(JSON.stringify({ ...where, visits: await Visit.count() }));
}

main()
  .catch((error) => {
    console.error(`${error.original?.code}: ${error.message}`);
    process.exitCode = 1;
  })
  .finally(() => sequelize.close());
