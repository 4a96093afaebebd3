import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "@prisma/client";

// Prisma 7 has no driver of its own any more: it takes node-postgres, by this adapter.
const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL }) });

async function main() {
  const newPost = await prisma.post.create({
    data: {
      title: "PostgreSQL on Perch",
      content: "",
    },
  });
  const posts = await prisma.post.findMany();
  console.log(`post ${newPost.id} of ${posts.length}: ${newPost.title}`);
}

main()
  .catch((e) => {
    console.error(e);
    process.exitCode = 1;
  })
  .finally(async () => {
    await prisma.$disconnect();
  });
