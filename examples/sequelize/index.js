const { Visit, connected, sequelize } = require("./models");

async function main() {
  await connected;
  await Visit.create({ region: process.env.FLY_REGION });
  console.log(`${await Visit.count()} visit(s)`);
}

main()
  .catch((error) => {
    console.error(error);
    process.exitCode = 1;
  })
  .finally(() => sequelize.close());
